"""What finding keeps beside events: how many stand in each part of the map, and the words of their titles."""
