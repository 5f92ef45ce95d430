"""What tables declare of people, put to use: erasing a person or a community, and handing a person what is theirs."""
