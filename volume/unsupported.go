package volume

import "holdfast"

func unsupported(op string) error { return holdfast.E(op, holdfast.Unsupported, nil) }
