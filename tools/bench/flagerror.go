package bench

import (
	"fmt"

	"holdfast"
)

// flagError is bad input: one line that names the flag.
type flagError struct {
	flag   string
	reason string
}

func badFlag(flag, format string, args ...any) error {
	return &flagError{flag, fmt.Sprintf(format, args...)}
}

func (e *flagError) Error() string { return "--" + e.flag + ": " + e.reason }

// Unwrap makes its kind holdfast.Invalid.
func (e *flagError) Unwrap() error { return holdfast.E("bench", holdfast.Invalid, nil) }
