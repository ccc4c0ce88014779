"""An LSTM that gives each step of a sequence a class, in each library."""
