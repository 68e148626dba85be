"""The shipped knowledge base; ``card.json`` tells where it comes from."""
