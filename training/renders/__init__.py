"""Rendered heads with exact truth: MakeHuman's CC0 heads, hair, eyes and teeth in real light."""
