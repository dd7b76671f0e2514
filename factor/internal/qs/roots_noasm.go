//go:build !amd64 || purego

package qs

func meetAVX2(_ *uint32, _ uint16, _, _, _, _, _ *uint16, _ int) {}

func stepAVX2(_, _, _ *uint16, _ int) {}

func stepBackAVX2(_, _, _ *uint16, _ int) {}
