"""Mathematics over numpy, scipy and scikit-learn: statistics, calculus, formulas, fits, components, clusters."""
