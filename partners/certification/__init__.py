"""What people of partners learn and are certified in: courses, the list of people, credentials with an end, and the shares counted over
them."""
