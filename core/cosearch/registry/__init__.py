"""What plugins registered, by kind and name; and how they are told of events."""
