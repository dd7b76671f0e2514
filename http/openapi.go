package http

import _ "embed"

// openAPI is the OpenAPI 3.1 document of the HTTP API, as GET /openapi.json
// gives it. A test holds it against the routes.
//
//go:embed openapi.json
var openAPI []byte
