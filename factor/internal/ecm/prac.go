package ecm

import "math"

// A chain is a program that multiplies a point by a number, as byte code for
// Montgomery's PRAC ("Evaluating recurrences of form X_{m+n} = f(X_m, X_n,
// X_{m-n}) via Lucas chains", 1983/1992). Three points A, B and C = A - B are
// kept. A chain runs about 6 multiplications an addition, 9 a bit.
const (
	opStart = 0  // B = C = A; A = 2A
	opEnd   = 10 // A = A + B
	opSwap  = 11 // exchange A and B
	opDup   = 12 // A = 2A
	// 1 to 9 are the rules of Montgomery's table 4.
)

// pracRatios are starting ratios whose continued fractions end in ones, with
// small first quotients otherwise (Montgomery's suggestion); the best one is
// chosen for each prime.
var pracRatios = [...]float64{
	1.6180339887498949, 1.7236067977499790, 1.3819660112501051, 1.5801787282954641,
	1.6328398060887064, 1.6124299495094951, 1.6201819808074158, 1.6179144065288179,
	1.6183471196562281, 1.6172146165344039,
}

// appendChain appends the chain that multiplies A by the prime p; tries is how
// many ratios it compares.
func appendChain(code []byte, p uint64, tries int) []byte {
	switch p {
	case 2:
		return append(code, opDup)
	case 3:
		return append(code, opStart, opEnd)
	}
	best, bestCost := uint64(0), math.MaxInt
	for _, v := range pracRatios[:tries] {
		r := uint64(float64(p)/v + 0.5)
		if c := pracCost(p, r); c < bestCost {
			best, bestCost = r, c
		}
	}
	code, _ = prac(code, p, best, true)
	return code
}

// pracCost returns the multiplications of the chain for p that starts with r.
func pracCost(p, r uint64) int {
	_, cost := prac(nil, p, r, false)
	return cost
}

// prac walks the chain for p that starts with r, appending it to code if emit
// is set, and returns its cost in multiplications, which is huge if r is no
// good because it has a factor in common with p.
func prac(code []byte, p, r uint64, emit bool) ([]byte, int) {
	const add, dup = 6, 5
	if r >= p || 2*r <= p {
		return code, math.MaxInt
	}
	d, e := p-r, 2*r-p
	cost := dup + add
	if emit {
		code = append(code, opStart)
	}
	for d != e {
		if d < e {
			d, e = e, d
			if emit {
				code = append(code, opSwap)
			}
		}
		var op byte
		switch {
		case d-e <= e/4 && (d+e)%3 == 0:
			op, cost = 1, cost+3*add
			d, e = (2*d-e)/3, (2*e-d)/3
		case d-e <= e/4 && (d-e)%6 == 0:
			op, cost = 2, cost+add+dup
			d = (d - e) / 2
		case (d+3)/4 <= e:
			op, cost = 3, cost+add
			d -= e
		case (d+e)&1 == 0:
			op, cost = 4, cost+add+dup
			d = (d - e) / 2
		case d&1 == 0:
			op, cost = 5, cost+add+dup
			d /= 2
		case d%3 == 0:
			op, cost = 6, cost+3*add+dup
			d = d/3 - e
		case (d+e)%3 == 0:
			op, cost = 7, cost+3*add+dup
			d = (d - 2*e) / 3
		case (d-e)%3 == 0:
			op, cost = 8, cost+3*add+dup
			d = (d - e) / 3
		default:
			op, cost = 9, cost+add+dup
			e /= 2
		}
		if emit {
			code = append(code, op)
		}
	}
	if d != 1 {
		return code, math.MaxInt
	}
	if emit {
		code = append(code, opEnd)
	}
	return code, cost
}
