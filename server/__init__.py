"""What listens: gRPC services over mutual TLS."""
