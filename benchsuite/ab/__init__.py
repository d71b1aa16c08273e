"""The pure core of a gate on time: pairs of processes in, decisions and their measured error rates out."""
