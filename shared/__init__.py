"""What two or more deployables use; imports none of them."""
