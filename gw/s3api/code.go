package s3api

import "net/http"

// Code is an S3 error code, the text of the Code element of an error answer.
type Code string

// Status returns the HTTP status of the code; a code outside the catalogue is answered as an internal error, 500.
func (c Code) Status() int {
	if e, ok := catalogueIndex[c]; ok {
		return e.status
	}
	return http.StatusInternalServerError
}

// Message returns S3's default message for the code, or "" for a code outside the catalogue.
func (c Code) Message() string { return catalogueIndex[c].message }

// Known reports whether the code is in the catalogue.
func (c Code) Known() bool {
	_, ok := catalogueIndex[c]
	return ok
}

// Codes returns all codes of the catalogue in its order. The slice is the caller's.
func Codes() []Code {
	codes := make([]Code, len(catalogue))
	for i, e := range catalogue {
		codes[i] = e.code
	}
	return codes
}

// catalogueEntry is one row of the catalogue.
type catalogueEntry struct {
	code    Code
	status  int
	message string
}

// catalogueIndex finds a row by its code. Written once, here.
var catalogueIndex = indexCatalogue()

func indexCatalogue() map[Code]catalogueEntry {
	index := make(map[Code]catalogueEntry, len(catalogue))
	for _, e := range catalogue {
		index[e.code] = e
	}
	return index
}
