"""The checkout as a Hugging Face Space: what the Hub demands of it, and how it gets there."""
