"""Framework knowledge: models as data (`*.yml`), their schema and loading (`model`), and what turns outlines into facts (`recognise`)."""
