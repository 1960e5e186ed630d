"""PeriodUsage → money: prices, credits and periods (pure arithmetic), then cycles and invoices."""
