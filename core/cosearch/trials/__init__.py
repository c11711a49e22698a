"""What a study is asked to do and what its trials gave: plain facts, as the store keeps them."""
