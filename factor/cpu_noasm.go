//go:build !amd64 || purego

package factor

// useAVX2, useAVX512 and useIFMA say that there is assembly to call; here there is
// none.
const useAVX2, useAVX512, useIFMA = false, false, false
