//go:build !amd64 || purego

package factor

// useAVX2 and useIFMA say that there is assembly to call; here there is none.
const useAVX2, useIFMA = false, false
