"""What would be deployed, as the compiler evaluated it, compared with what the program needs; and the queries, run."""
