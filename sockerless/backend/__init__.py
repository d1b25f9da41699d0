"""Docker verbs over the store, AWS and the agents. Knows no HTTP."""
