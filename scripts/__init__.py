"""What the project needs beside its package: generated docs, deploy scripts, Debian's programs."""
