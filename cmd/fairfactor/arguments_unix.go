//go:build unix

package main

import "unsafe"

// blank writes over a part of the arguments of the process, os.Args, which on these
// systems are the memory that ps shows.
func blank(secret string) {
	b := unsafe.Slice(unsafe.StringData(secret), len(secret))
	for i := range b {
		b[i] = 'x'
	}
}
