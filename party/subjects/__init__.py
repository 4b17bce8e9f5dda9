"""What a person may ask of a party: what it holds of them, their consent, and to be erased."""
