package expression

// Evaluate returns the value of an expression as decimal digits without leading
// zeros. The value must be positive and have at most maxDigits digits, 1 or more.
// Every error is an [*Error].
func Evaluate(text string, maxDigits int) (string, error) {
	digits, err := evaluate(text, limitsFor(maxDigits))
	if err != nil { // a nil *Error is no nil error
		return "", err
	}
	return digits, nil
}

func evaluate(text string, l limits) (string, *Error) {
	steps, err := parse(text, l)
	if err != nil {
		return "", err
	}
	value, err := run(steps, l)
	if err != nil {
		return "", err
	}
	last := steps[len(steps)-1].at
	switch value.Sign() {
	case 0:
		return "", errorAt(last, "the value is zero, which has no prime factors: send a positive integer")
	case -1:
		return "", errorAt(last, "the value is negative: send a positive integer")
	}
	digits := value.String()
	if len(digits) > l.digits {
		err := errorAt(last, "the value has %d digits, more than the %d that are allowed", len(digits), l.digits)
		err.Digits = len(digits)
		return "", err
	}
	return digits, nil
}

// Check says what is wrong with the form of an expression, and computes nothing: nil
// does not mean that it has a value. Every error is an [*Error].
func Check(text string, maxDigits int) error {
	if _, err := parse(text, limitsFor(maxDigits)); err != nil {
		return err
	}
	return nil
}
