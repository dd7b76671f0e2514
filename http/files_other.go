//go:build !unix

package http

// connectionLimit is how many connections may be open.
func connectionLimit() int { return 20_000 }
