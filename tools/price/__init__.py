"""What a deployment costs in a month: unit prices with their sources, the bill, and how large it is by size."""
