"""Files that are kept outside the database: in a folder, or in a bucket of anything that speaks S3."""
