package factor

// ecmRunner runs curves on one thread. It keeps what depends on bounds only, and
// scratch.
type ecmRunner struct {
	*poller
	tables tables
	points []point128 // of stage 2
	prefix []wide     // products in normalise
	eight  *eight
}
