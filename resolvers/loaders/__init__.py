"""Reading rows: pages by keyset, and dataloaders bound to one organization."""
