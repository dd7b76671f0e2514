// Package wire is the layout of payloads, results and checkpoints: their version and
// kinds, how numbers and lists are written, and a reader that survives damage.
//
// Every payload and result begins with Version and a kind. What the machine can't
// check by computing carries a check sum (Seal). Nothing here knows what the bytes
// mean.
package wire
