//go:build !amd64 || purego

package ecm

// There is no assembly to call here: cpu.IFMA is false.

func mul8(_, _, _ *residue8, _ *mod8) {}

func add8(_, _, _, _ *point8, _ *mod8) {}

func dup8(_, _ *point8, _, _ *residue8, _ *mod8) {}

func meet8(_ *residue8, _, _ *point8, _, _ *residue8, _ *uint16, _ int, _ *mod8) {}

func mulLimbs(_, _, _ *residue8, _ *mod8) {}

func sumLimbs(_, _, _ *residue8, _ *mod8) {}

func differenceLimbs(_, _, _ *residue8, _ *mod8) {}
