"""Events become usage: the language of meters, and the SQL that counts by it."""
