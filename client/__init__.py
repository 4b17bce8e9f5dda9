"""What a partner runs: the dialling transport and the commands."""
