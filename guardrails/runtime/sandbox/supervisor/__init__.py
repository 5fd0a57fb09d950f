"""The process between the caller and the command. It imports only the standard library, and runs without site-packages."""
