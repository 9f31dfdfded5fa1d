"""A story played to real nodes: timelines of the public record and scripts of fictional parties."""
