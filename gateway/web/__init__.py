"""The pages: what people see in a browser, made here whole, in their language; they work without a script."""
