"""Documents and files made from stored rows. Every one of them prints the same stored amounts; none computes a new one."""
