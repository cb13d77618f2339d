"""The paper's figures, drawn from result files alone."""
