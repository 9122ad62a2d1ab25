"""Programs that run inside the images, beside the product's own."""
