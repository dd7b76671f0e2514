package arith

import "math/big"

var Two = big.NewInt(2)

var One = big.NewInt(1)
