package checksum

import (
	"net/http"
	"strings"
)

// Declared is what the headers of a request say about the checksum of its body.
// The zero value says nothing.
type Declared struct {
	// Algorithm is the one checksum of the body; None if there is none.
	Algorithm Algorithm
	// Value came in a header; it is zero if the value follows in the trailer.
	Value Value
	// Trailer tells that the value follows the body, in a trailer announced by
	// x-amz-trailer.
	Trailer bool
}

// FromHeader reads the x-amz-checksum-*, x-amz-trailer and
// x-amz-sdk-checksum-algorithm headers of a request that has a body to be
// checked. It is not for CompleteMultipartUpload, whose checksum header speaks
// of the object and not of the body. Errors are *Error with code InvalidRequest:
// two checksums, an invalid value, an unsupported algorithm, or an announced
// one that is unknown or not that of the value.
func FromHeader(h http.Header) (Declared, error) {
	var d Declared
	if err := refuseUnknown(h); err != nil {
		return Declared{}, err
	}
	a, text, err := Single(h)
	if err != nil {
		return Declared{}, err
	}
	if a != None {
		v, err := Parse(a, text)
		if err != nil {
			return Declared{}, err
		}
		d.Algorithm, d.Value = a, v
	}
	trailer, err := FromTrailerHeader(h)
	if err != nil {
		return Declared{}, err
	}
	if trailer != None {
		if d.Algorithm != None {
			return Declared{}, invalidRequest("Expecting a single x-amz-checksum- header")
		}
		d.Algorithm, d.Trailer = trailer, true
	}
	return d, d.checkAnnounced(h.Get("X-Amz-Sdk-Checksum-Algorithm"))
}

// refuseUnknown refuses x-amz-checksum-* headers of algorithms that are not known here: whoever sends one counts on it.
func refuseUnknown(h http.Header) error {
	for name := range h {
		if !strings.HasPrefix(name, "X-Amz-Checksum-") || FromName(name) != None {
			continue
		}
		switch name {
		case "X-Amz-Checksum-Algorithm", "X-Amz-Checksum-Mode", "X-Amz-Checksum-Type":
		default:
			return invalidRequest("The algorithm type you specified in x-amz-checksum- header is invalid.")
		}
	}
	return nil
}

// Single returns the one x-amz-checksum-* header with a checksum, unparsed; None
// if there is none. Two of them are an *Error with code InvalidRequest.
func Single(h http.Header) (Algorithm, string, error) {
	found, text := None, ""
	for a := CRC32; int(a) < len(algorithms); a++ {
		values := h[algorithms[a].key]
		if len(values) == 0 {
			continue
		}
		if found != None || len(values) > 1 {
			return None, "", errMultiple()
		}
		found, text = a, values[0]
	}
	return found, text, nil
}

// FromTrailerHeader reads x-amz-trailer, which lists the names of the trailers
// to come. S3 knows no trailers but checksums, and takes one of them.
func FromTrailerHeader(h http.Header) (Algorithm, error) {
	found := None
	for _, line := range h["X-Amz-Trailer"] {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.TrimSpace(name)
			if name == "" {
				continue
			}
			a := FromName(name)
			if a == None {
				return None, invalidRequest("The value specified in the x-amz-trailer header is not supported")
			}
			if found != None {
				return None, errMultiple()
			}
			found = a
		}
	}
	return found, nil
}

// checkAnnounced compares what was found with x-amz-sdk-checksum-algorithm.
func (d Declared) checkAnnounced(name string) error {
	if name == "" {
		return nil
	}
	a, err := ParseAlgorithm(name)
	switch {
	case err != nil:
		return invalidRequest("Value for x-amz-sdk-checksum-algorithm header is invalid.")
	case d.Algorithm == None:
		return invalidRequest("x-amz-sdk-checksum-algorithm specified, but no corresponding " +
			"x-amz-checksum-* or x-amz-trailer headers were found.")
	case d.Algorithm != a:
		return invalidRequest("Value for x-amz-sdk-checksum-algorithm header is invalid.")
	}
	return nil
}

func errMultiple() error {
	return invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
}
