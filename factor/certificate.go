package factor

import (
	"errors"
	"fmt"

	"fairfactor/factor/internal/certificate"
	"fairfactor/factor/internal/prime"
)

// CertifiableDigits is the most digits of a prime that [Runner.Certify] takes.
const CertifiableDigits = 200

var (
	// ErrCertificate says that a text is not a certificate of primality.
	ErrCertificate = certificate.ErrText
	// ErrInvalidCertificate says that a certificate does not prove what it says.
	ErrInvalidCertificate = certificate.ErrInvalid
	// ErrUncertified says that no certificate was found, or that the number is too long for one.
	ErrUncertified = errors.New("factor: no certificate of primality")
)

// Certify makes a certificate that p, canonical digits of at most [CertifiableDigits], is prime:
// what others can check without trust in this program, with [CheckCertificate] or with
// primecertisvalid of PARI/GP, in whose form it is. Below 2^64 it is the number itself; above, a
// proof by factors of p - 1 where they are easily found, else one by elliptic curves (Atkin
// and Morain), which takes half a second of CPU at 200 digits. The same p always has the same
// certificate.
//
// It calls stop, which may be nil, every few milliseconds, and returns [ErrStopped] once that
// reports true. [ErrNotNumber] is text that is no number, [ErrComposite] a number that is
// not prime, [ErrUncertified] a longer one, or one for which the search fails; no such prime
// is known.
func (r *Runner) Certify(p string, stop func() bool) (string, error) {
	n, ok := parseBig(p)
	switch {
	case !ok:
		return "", ErrNotNumber
	case len(p) > CertifiableDigits:
		return "", fmt.Errorf("%w: more than %d digits", ErrUncertified, CertifiableDigits)
	case prime.KnownPrime(n) && n.BitLen() <= 64:
		return p, nil
	case n.BitLen() <= 64 || !n.ProbablyPrime(0):
		return "", fmt.Errorf("%w: %s", ErrComposite, p)
	}
	r.poller.Start(stop)
	c := r.prover.Certify(n)
	if c == nil && !r.poller.Stopped() {
		if c = r.ecpp.Prove(n); c != nil {
			if err := certificate.Check(c, nil); err != nil {
				return "", fmt.Errorf("factor: certify %s: %w", p, err)
			}
		}
	}
	if r.poller.Stopped() {
		return "", ErrStopped
	}
	if c == nil {
		return "", ErrUncertified
	}
	return c.String(), nil
}

// CheckCertificate checks a certificate of primality from its text alone, and returns the digits
// of the prime. It shares no code with [Runner.Certify] or any other part of the engine. It takes
// certificates of up to 1,000 digits in the forms of primecert of PARI/GP. [ErrCertificate] is
// other text, [ErrInvalidCertificate] a certificate that does not hold, each with the reason;
// [ErrStopped] says that stop, which may be nil, reported true.
func CheckCertificate(text string, stop func() bool) (p string, err error) {
	c, err := certificate.Parse(text)
	if err != nil {
		return "", err
	}
	switch err := certificate.Check(c, stop); {
	case errors.Is(err, certificate.ErrStopped):
		return "", ErrStopped
	case err != nil:
		return "", err
	}
	return string(c.N.Append(nil, 10)), nil
}
