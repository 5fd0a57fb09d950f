"""What names mean across a project's files: modules, access paths, constants, arguments."""
