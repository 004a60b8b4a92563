"""Pictures and reports from and to files, whole or not at all."""
