"""The voice API: calls and their legs, numbers, greetings, menus and statistics, made up."""
