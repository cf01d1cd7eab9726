"""The one tool: its actions, arguments, answers and dispatcher."""
