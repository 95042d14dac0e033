// The API's documentation at /docs, from the service itself: a closed network has no CDN, and the page's policy allows no inline script.
window.SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null })
