"""The command `taps`: what there is to do with the taps beside running them."""
