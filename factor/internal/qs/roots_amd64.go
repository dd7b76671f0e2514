//go:build !purego

package qs

// meetAVX2 is meet for that many blocks.
//
//go:noescape
func meetAVX2(mask *uint32, pos uint16, p, inv, limit, r1, r2 *uint16, blocks int)

// stepAVX2 is step of one of the two roots for that many blocks.
//
//go:noescape
func stepAVX2(r, p, d *uint16, blocks int)

// stepBackAVX2 is stepBack of one of the two roots for that many blocks.
//
//go:noescape
func stepBackAVX2(r, p, d *uint16, blocks int)
