//go:build !amd64

package md5lanes

// vectors reports whether this processor has the instructions of blocks16: there is no such code for it.
func vectors() bool { return false }

func blocks16(*[4][Lanes]uint32, *[Lanes]*byte, *[64]uint32, int) {
	panic("md5lanes: no vectors here") // New never leads here
}

func constantsOf() *[64]uint32 { return nil }
